"""What a campaign is given, apart from chemistry: its settings, and poses that rows take from each other."""
