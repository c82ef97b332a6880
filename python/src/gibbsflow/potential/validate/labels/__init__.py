"""Labels are looked through before they count: each by itself, against its like, and against tighter settings."""
