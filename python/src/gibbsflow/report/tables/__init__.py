"""Tables of a campaign, tidy: one row for whatever was asked for, also for what failed."""
