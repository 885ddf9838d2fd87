package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Text is a sentence from the catalogues: its key, and what is filled in. A Text without a key is nothing to say.
type Text struct {
	Key string `json:"key"`
	// Data is filled into the sentence by name. Values are strings, ints, or further Texts; templates escape them.
	Data map[string]any `json:"data,omitempty"`
}

// Say makes a Text of a key and pairs of a name and a value. A name that is no string fills in nothing, and drawing the
// sentence then says what it lacks.
func Say(key string, pairs ...any) Text {
	t := Text{Key: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			continue
		}
		if t.Data == nil {
			t.Data = make(map[string]any, len(pairs)/2)
		}
		t.Data[name] = pairs[i+1]
	}
	return t
}

// UnmarshalJSON reads what a Text is marshalled as, so that one that was kept, or sealed into a link, is said as before:
// whole numbers are ints again, because they decide between singular and plural, and objects are Texts.
func (t *Text) UnmarshalJSON(data []byte) error {
	var raw struct {
		Key  string                     `json:"key"`
		Data map[string]json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*t = Text{Key: raw.Key}
	for name, value := range raw.Data {
		var v any
		var n int
		var inner Text
		switch {
		case json.Unmarshal(value, &n) == nil:
			v = n
		case bytes.HasPrefix(value, []byte("{")) && json.Unmarshal(value, &inner) == nil:
			v = inner
		default:
			var s string
			if err := json.Unmarshal(value, &s); err != nil {
				return fmt.Errorf("ui: text %q: %s: %w", raw.Key, name, err)
			}
			v = s
		}
		if t.Data == nil {
			t.Data = make(map[string]any, len(raw.Data))
		}
		t.Data[name] = v
	}
	return nil
}
