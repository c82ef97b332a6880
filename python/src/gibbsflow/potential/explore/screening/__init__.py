"""A cheap model that looks at structures before they are labelled."""
