"""Clinical knowledge as data: drug packs, vocabulary, policy, code lists, ledger."""
