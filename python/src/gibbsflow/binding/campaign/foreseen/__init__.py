"""What a campaign will ask for, before anything is computed: tasks, nanoseconds, hours."""
