"""What people read: self-contained HTML pages, and the crate that describes a run to machines.

``figures/`` draws, ``tables/`` lays out rows, ``templates/`` holds the pages.
"""
