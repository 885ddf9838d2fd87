package policy

// Asked is what a sign-in is asked for once its password is right.
type Asked struct {
	// Kind says what it is.
	Kind Ask `json:"kind"`
	// Factors are the IDs of those that can be answered where the Kind is AskPrompt, and of those that can be set up where
	// it is AskEnrol, the best first.
	Factors []string `json:"factors,omitempty"`
	// Then is what comes after a right answer, where AskPrompt is not all: a factor that the rules do not accept is proven
	// before a better one is set up, or before it turns out that there is no way on.
	Then Ask `json:"then,omitempty"`
}

// In tells whether the user gets in without anybody's help.
func (a Asked) In() bool {
	in := func(k Ask) bool { return k == AskNothing || k == AskPrompt || k == AskEnrol }
	return in(a.Kind) && (a.Then == "" || in(a.Then))
}

// Ask says what kind of thing is asked.
type Ask string

// What can be asked.
const (
	// AskDenied: nobody gets in so.
	AskDenied Ask = "denied"
	// AskNothing: the password is enough.
	AskNothing Ask = "nothing"
	// AskPrompt: one of the factors is to be answered.
	AskPrompt Ask = "prompt"
	// AskEnrol: one of the factors is to be set up.
	AskEnrol Ask = "enrol"
	// AskRecoveryCode: nothing that the user has will do; an owner has to hand out a code.
	AskRecoveryCode Ask = "recovery_code"
	// AskUnmet: the application insists on what the user can't give.
	AskUnmet Ask = "unmet"
)
