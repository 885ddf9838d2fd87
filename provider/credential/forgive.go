package credential

import "context"

// Forgive takes back the wrong answers that were counted. It follows a right answer; and it is for an administrator who
// knows the person, and took the factors away: one that is off would stay so when it is set up anew.
func (k *Keeper) Forgive(ctx context.Context, p Person) error { return k.forget(ctx, p) }
