"""Who may come in: passwords, tokens, logins, limits on trying. No page and no route of the API is here."""
