package catalog

import (
	"context"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

const kindSecret Kind = "secret"

// Secret is a secret of the whole installation, sealed in the store and the same in every process: it is made when it is first asked for.
func (l *Live) Secret(ctx context.Context, name string, makeOne func() []byte) (secret []byte, err error) {
	if l.Sealer == nil {
		return nil, problem.New(problem.Unavailable, "there is no key to keep secrets with")
	}
	purpose := "catalog/secret/" + name
	err = l.edit(ctx, func(c *change, _ *Catalog) error {
		for _, r := range c.shelf.rows[kindSecret] {
			if sealed, ok := decode[string](r); ok && r.id == name {
				secret, err = l.Sealer.Open(purpose, sealed)
				return err
			}
		}
		secret = makeOne()
		sealed, err := l.Sealer.Seal(purpose, secret)
		if err != nil {
			return err
		}
		return c.put(kindSecret, name, "", sealed)
	}, func(*Catalog) error { return nil })
	return secret, err
}
