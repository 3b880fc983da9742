"""The accounts: payments between sectors, and what each owns and owes."""
