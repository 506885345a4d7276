"""What an API server asks of claims, budgets, scalers, CronJobs, Ingresses and the like beyond their schemas."""
