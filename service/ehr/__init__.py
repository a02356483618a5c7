"""EHRs that ask by CDS Hooks: who they are, what they sent, and the cards they get."""
