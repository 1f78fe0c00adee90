package org

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// SetupCode returns the code that the bootstrap of this instance asks for, such as ABCD-EFGH-2345-6789. It is made from the
// root key, so every replica knows the same one, and nothing has to be stored.
func (s *Service) SetupCode() string {
	text := base32.StdEncoding.EncodeToString(s.root.Code("setup code")[:10])
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

var errSetupCode = fault.New(fault.Forbidden, "The set-up of this server needs its setup code, because you call from another machine. The log of the server shows the code; send it as setupCode.")

// needsSetupCode reports whether the request that ctx belongs to must show the code.
func (s *Service) needsSetupCode(ctx context.Context) bool {
	return s.requireSetupCode && !httpapi.Local(ctx)
}

// checkSetupCode refuses a bootstrap that lacks the code. Whoever reaches an empty server first would own it otherwise.
func (s *Service) checkSetupCode(ctx context.Context, code string) error {
	if !s.needsSetupCode(ctx) {
		return nil
	}
	plain := func(code string) []byte {
		return []byte(strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code)))
	}
	if subtle.ConstantTimeCompare(plain(code), plain(s.SetupCode())) == 0 {
		return errSetupCode
	}
	return nil
}

// RequiresSetupCode reports whether a bootstrap that comes from another machine must show the code.
func (s *Service) RequiresSetupCode() bool { return s.requireSetupCode }
