package files

var Untaken = untaken
