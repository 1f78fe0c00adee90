package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// one reads an object that lies under a key of the answer; key "" is for an answer that is the object itself.
func one[T any](ctx context.Context, c *client, path string, query url.Values, key string) (*T, error) {
	text, err := c.get(ctx, path, query)
	if err != nil {
		return nil, err
	}
	return decode[T](c, text, key)
}

// decode reads an object under a key. What is missing is an error: taken for nothing, it would be lost without a word.
func decode[T any](c *client, text json.RawMessage, key string) (*T, error) {
	if key != "" {
		var outer map[string]json.RawMessage
		if json.Unmarshal(text, &outer) != nil || len(outer[key]) == 0 {
			return nil, fmt.Errorf("the %s answered without %q; check the address", c.side, key)
		}
		text = outer[key]
	}
	found := new(T)
	if bytes.Equal(text, []byte("null")) {
		return nil, fmt.Errorf("the %s answered null for %q", c.side, key)
	}
	if err := json.Unmarshal(text, found); err != nil {
		return nil, fmt.Errorf("the %s answered in a form that is not known here (%q): %w", c.side, key, err)
	}
	return found, nil
}

// list reads the list that lies under a key of the answer.
func list[T any](ctx context.Context, c *client, path string, query url.Values, key string) ([]T, error) {
	found, err := one[[]T](ctx, c, path, query, key)
	if err != nil {
		return nil, err
	}
	return *found, nil
}

// pageSize is how many things are asked for at once where lists have pages.
const pageSize = 100

// pages reads a list page by page and hands each thing on. Servers that know no pages answer all at once.
func pages[T any](ctx context.Context, c *client, path string, query url.Values, key string, each func(*T) error) error {
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", strconv.Itoa(pageSize))
	for offset := 0; ; {
		query.Set("offset", strconv.Itoa(offset))
		text, err := c.get(ctx, path, query)
		if err != nil {
			return err
		}
		page, err := decode[[]T](c, text, key)
		if err != nil {
			return err
		}
		for i := range *page {
			if err := each(&(*page)[i]); err != nil {
				return err
			}
		}
		offset += len(*page)
		if total, err := decode[int](c, text, "totalCount"); err != nil || offset >= *total || len(*page) == 0 {
			return nil // no pages, or no more
		}
	}
}
