"""Where folders of a campaign may lie, and what its folder of results holds."""
