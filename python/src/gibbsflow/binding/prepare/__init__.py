"""What is simulated: samplesheet, molecules, ligands, hosts and proteins as read, completed, and posed."""
