"""The pages in a real browser: Debian's Chromium, headless, without a network."""
