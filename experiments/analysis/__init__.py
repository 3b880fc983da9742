"""From runs to tables: paired effects with their intervals, costs, what budgets bought."""
