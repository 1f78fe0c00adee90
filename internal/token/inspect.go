package token

import "context"

// Inspect tells what a token says if it would be accepted now, for a service that was handed it. It decides as Verify
// does, but spends no use and does not ask where the token comes from: that service's address is not the holder's.
func (s *Service) Inspect(ctx context.Context, jwt string) (*Claims, error) {
	c, err := s.readIdentity(ctx, jwt)
	if err == nil {
		err = s.good(ctx, c)
	}
	if err != nil || c.UsesLimit == 0 {
		return c, err
	}
	left, err := usesLeft(ctx, s.db, c.ID)
	if err == nil && !left {
		err = errUsedUp
	}
	return c, err
}
