package credential

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport-id/sallyport/mfa"
)

const sealRefused = "refused answer"

// refused is an answer that was looked at and was wrong.
type refused struct {
	Factor string    `json:"factor"`
	Answer string    `json:"answer"`
	Wrong  mfa.Wrong `json:"wrong"`
}

// Refuse remembers an answer that was looked at and found wrong, sealed: it may be nearly right. It returns nil where
// err is of another kind or the answer was no code at all, for then nothing was counted.
func (k *Keeper) Refuse(ctx context.Context, p Person, factor, answer string, err error) ([]byte, error) {
	wrong := &mfa.Wrong{Reason: mfa.Mismatch}
	if !errors.As(err, &wrong) && !errors.Is(err, mfa.ErrWrong) {
		return nil, nil
	}
	switch wrong.Reason {
	case mfa.Empty, mfa.Short, mfa.Long, mfa.Format:
		return nil, nil
	}
	return k.sealJSON(ctx, p, sealRefused, refused{Factor: factor, Answer: answer, Wrong: *wrong})
}

// Again returns why an answer was refused, if it is the one that Refuse remembered: a page loaded again sends it
// again. It is then neither counted, or five reloads would lock the account, nor looked at, or who sends one guess for
// hours would guess for nothing. Otherwise Again returns nil, or what else went wrong.
func (k *Keeper) Again(ctx context.Context, p Person, sealed []byte, factor, answer string) error {
	if len(sealed) == 0 {
		return nil
	}
	var r refused
	if err := k.openJSON(ctx, p, sealRefused, sealed, &r); err != nil {
		return fmt.Errorf("refused answer: %w", err)
	}
	if r.Factor != factor || r.Answer != answer {
		return nil
	}
	return &r.Wrong
}
