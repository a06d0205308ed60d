package cli

// accessHint can not tell here.
func accessHint(string) string { return "" }
