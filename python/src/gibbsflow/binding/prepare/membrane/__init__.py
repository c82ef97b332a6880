"""What files of membrane proteins have beside the protein: lipids, and dummy atoms that say where the membrane is."""
