"""What a stranger's pull request could bring: each input ends in a clear error, soon, within little memory, and shows nothing."""
