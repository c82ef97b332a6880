"""What lies below structures and labels: formats of files and databases, statuses, charge and spin as frames say them."""
