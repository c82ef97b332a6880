"""What a campaign looks like while it runs, and after: read from its folders alone, changing nothing in them."""
