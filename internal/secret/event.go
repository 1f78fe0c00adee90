package secret

// event returns what the audit log says of a secret (secrets.md 4.10). Never its value or its comment, nor metadata that
// is encrypted.
func (s *Secret) event() map[string]any {
	e := s.brief()
	e["environment"], e["secretPath"] = s.Environment, s.Path
	return e
}

// brief is event for one of several secrets in one folder.
func (s *Secret) brief() map[string]any {
	e := map[string]any{"secretId": s.ID, "secretKey": s.Key, "secretVersion": s.Version}
	if len(s.Tags) > 0 {
		e["secretTags"] = slugs(s.Tags)
	}
	if len(s.Metadata) > 0 {
		e["secretMetadata"] = s.maskedMetadata()
	}
	return e
}

// eventPair is a pair of metadata in the audit log.
type eventPair struct {
	Key       string `json:"key"`
	Value     string `json:"value"`
	Encrypted bool   `json:"isEncrypted"`
}

func (s *Secret) maskedMetadata() []eventPair {
	pairs := make([]eventPair, len(s.Metadata))
	for i, m := range s.Metadata {
		pairs[i] = eventPair(m)
		if m.Encrypted {
			pairs[i].Value = hidden
		}
	}
	return pairs
}
