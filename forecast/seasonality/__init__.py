"""The shape of the year: calendar, darkness, disruptions, harmonics and profiles."""
