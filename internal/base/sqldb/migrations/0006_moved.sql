-- +goose Up

-- Moves of the whole installation to another database. A row 'arriving' or 'left' keeps servers off this one.
CREATE TABLE moves (
  id    TEXT PRIMARY KEY, -- of what was moved; the same on both sides
  state TEXT NOT NULL,    -- 'arriving': here, unfinished; 'arrived': here; 'left': from here
  place TEXT NOT NULL,    -- where the other side is, for people to read
  at    BIGINT NOT NULL
);
