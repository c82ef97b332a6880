"""Data: structures, labels and labelled frames, and the database that knows the fate of each."""
