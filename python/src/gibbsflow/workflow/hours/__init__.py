"""What calculations take: hours of cores and GPUs, and their speed of late, from their state folders."""
