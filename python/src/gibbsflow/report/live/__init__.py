"""The live view of a campaign: lines, a terminal and a local page, all of the same snapshot."""
