"""What supervisors do with what came in: matters and questions, samples, reveals, evidence; each deed a line of the trail."""
