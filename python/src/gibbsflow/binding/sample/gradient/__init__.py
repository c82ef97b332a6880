"""dU/dλ of samples: where it is taken, how, and the columns that keep it."""
