"""What a file or a SMILES says of one small molecule: atoms, bonds, charges, stereochemistry."""
