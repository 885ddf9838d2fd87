package mfa

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Pack encodes what a factor keeps, for Challenge.State or Credential.Data.
func Pack(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("mfa: packing: %w", err)
	}
	return b, nil
}

// Unpack reads into v what Pack made of such a value, and nothing else: a member that v doesn't have, or anything
// behind the end, is an error, so that one kind of record is not taken for another. Errors don't quote what they read,
// which is secret.
func Unpack(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New("not in the form that it was stored in")
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something stands after the end")
	}
	return nil
}
