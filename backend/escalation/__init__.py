"""What waits for a doctor's eyes: told louder and louder until somebody looks (practice.md 7, 8, 14).

WeChat, then a text message, then the duty desk; a waiting visit that nobody takes ends with everybody's money back. Each rung is a
row with the message that was sent and what became of it. Notices to one doctor are bundled.
"""
