"""What settings go by in structures, before anything is made of them."""
