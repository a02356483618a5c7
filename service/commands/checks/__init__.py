"""What `dosegate doctor` looks at: small functions, a module for each part of an installation."""
