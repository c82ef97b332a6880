"""How wrong a potential is where its grade, or the spread of a committee, says that it guesses."""
