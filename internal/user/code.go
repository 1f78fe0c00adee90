package user

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// CodeLife is how long a code of MakeCode is good.
const CodeLife = 10 * time.Minute

// mostCodes bounds the codes that are kept; with one more the oldest goes.
const mostCodes = 64

// codes are the codes by which users log in once: by their hash, in the memory of this process alone.
type codes struct {
	lock sync.Mutex
	list []code // oldest first
}

type code struct {
	hash   [sha256.Size]byte
	userID string
	until  time.Time
}

// MakeCode returns a code that logs the first instance administrator in, once and within CodeLife, and the e-mail address of
// that user. It is for who runs this process: nothing is checked. Both are "" where no user administers the instance.
func (s *Service) MakeCode(ctx context.Context) (text, email string, err error) {
	u := User{}
	err = s.db.Get(ctx, &u, `SELECT `+columns+` FROM users u WHERE u.super_admin ORDER BY u.created_at, u.id LIMIT 1`)
	if errors.Is(err, sqldb.ErrNoRows) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	text = id.Secret(32)
	s.codes.add(code{sha256.Sum256([]byte(text)), u.ID, s.db.Now().Add(CodeLife)})
	return text, u.Email, nil
}

func (c *codes) add(one code) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if len(c.list) >= mostCodes {
		c.list = c.list[1:]
	}
	c.list = append(c.list, one)
}

// take returns whose a code is, and forgets the code: it is used up, also if it comes late.
func (c *codes) take(text string, now time.Time) (userID string, ok bool) {
	c.lock.Lock()
	defer c.lock.Unlock()
	hash := sha256.Sum256([]byte(text))
	for i, one := range c.list {
		if one.hash == hash { // of 256 random bits: that a comparison of hashes takes long tells nothing of the code
			c.list = append(c.list[:i:i], c.list[i+1:]...)
			return one.userID, now.Before(one.until)
		}
	}
	return "", false
}

var errCode = fault.New(fault.BadRequest, "This sign-in link was used before, has expired, or is not from this server. Get a new one: start `sallyport dev` again.")

// LoginWithCode begins a session for the holder of a code, which is used up by it. Errors: BadRequest for a code that is
// unknown, used up or late.
func (s *Service) LoginWithCode(ctx context.Context, text string, client access.Client) (*Pair, error) {
	if err := s.feed.Current(ctx); err != nil {
		return nil, err
	}
	birth := s.tokens.Birth() // before anything is checked
	userID, ok := s.codes.take(text, s.db.Now())
	if !ok {
		return nil, s.refuse(ctx, &account{}, client, "unknown_code")
	}
	var u *account
	err := s.db.Write(ctx, func(tx *sqldb.Tx) (err error) {
		u, err = accountByID(ctx, tx, userID)
		return err
	})
	if errors.Is(err, sqldb.ErrNoRows) || err == nil && u.Deactivated() {
		err = errCode
	}
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, u, birth, client)
}

type codeInput struct {
	Body struct {
		Code httpapi.Text `json:"code" minLength:"1" maxLength:"128"`
	}
}

func (s *Service) codeRoute(ctx context.Context, client access.Client, in *codeInput) (*loginOutput, error) {
	made, err := s.LoginWithCode(ctx, in.Body.Code.Trimmed(), client)
	if fault.Is(err, fault.BadRequest) {
		err = errCode
	}
	if err != nil {
		return nil, err
	}
	s.setCookie(ctx, made.Refresh)
	out := &loginOutput{}
	out.Body.AccessToken = made.Access
	return out, nil
}
