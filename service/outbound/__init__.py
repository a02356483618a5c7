"""Every call to somebody else's server goes through here, so that none reaches where it must not."""
