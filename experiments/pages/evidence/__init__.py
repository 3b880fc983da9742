"""Pages written from simulations: what the model shows, and what that rests on."""
