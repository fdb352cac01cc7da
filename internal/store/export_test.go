package store

// Silence is how long the session of a writer may be silent where others stand by.
const Silence = silence
