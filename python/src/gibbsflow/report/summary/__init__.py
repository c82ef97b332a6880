"""What a campaign hands to others: methods in words with what to cite, and its table for MultiQC."""
