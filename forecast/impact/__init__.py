"""What a campaign changed, over and above what would have happened anyway, and how sure we are."""
