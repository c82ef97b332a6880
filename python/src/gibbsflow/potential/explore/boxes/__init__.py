"""Small periodic boxes cut from large cells: where they end, and that they stay neutral."""
