package mfa_test

import (
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/mfa"
)

type packed struct {
	Secret string `json:"secret"`
	Count  int    `json:"count,omitempty"`
}

func TestPackAndUnpack(t *testing.T) {
	want := packed{Secret: "hunter2 <&> \u00e9", Count: 3}
	b, err := mfa.Pack(want)
	if err != nil {
		t.Fatal(err)
	}
	var got packed
	if err := mfa.Unpack(b, &got); err != nil || got != want {
		t.Errorf("%+v comes back as %+v, %v", want, got, err)
	}
	if _, err := mfa.Pack(func() {}); err == nil {
		t.Error("a function is packed")
	}
}

// TestUnpackIsStrict: what is nearly right is refused, and the refusal doesn't quote it.
func TestUnpackIsStrict(t *testing.T) {
	for _, data := range []string{
		"", "hunter2", `"hunter2"`, `["hunter2"]`, `{"secret":"hunter2"`, `{"secret":"hunter2"} x`, `{"secret":"hunter2"}{}`,
		`{"secret":"hunter2","other":1}`, `{"secret":{"$ne":"hunter2"}}`, `{"secret":"hunter2","count":"1"}`,
		strings.Repeat(`{"secret":`, 1<<15),
	} {
		var got packed
		err := mfa.Unpack([]byte(data), &got)
		if err == nil {
			t.Errorf("%.40q is read as %+v", data, got)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.40q is quoted: %v", data, err)
		}
	}
}
