package ui

// Help lists the guides.
type Help struct{}

// Guide is one guide, by its topic, which is one of Topics. What it says stands in help/LANG/TOPIC.md.
type Guide struct {
	Topic string `json:"topic"`
}

// Template names the page's template.
func (Help) Template() string  { return "help" }
func (Guide) Template() string { return "guide" }
