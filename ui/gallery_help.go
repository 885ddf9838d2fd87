package ui

// helpSamples are the help's index and all guides, as strangers and as users see them.
func helpSamples() []Sample {
	all := []Sample{{"help", outside(), Help{}}, {"help-signed-in", inside(), Help{}}}
	for _, topic := range Topics() {
		all = append(all, Sample{"guide-" + topic, outside(), Guide{Topic: topic}})
	}
	return all
}
