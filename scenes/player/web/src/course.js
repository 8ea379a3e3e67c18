// The course as data: steps in a row, and addresses like #3/the-cache-grows/2.

/** All steps of a lecture in one row, each with its scene and its number in the scene (from 1). */
export function stepsOf(lecture) {
  return lecture.scenes.flatMap((scene, sceneIndex) =>
    scene.steps.map((step, index) => ({ ...step, scene, sceneIndex, number: index + 1 })),
  ).map((step, index) => ({ ...step, index }));
}

export function addressOf(lecture, step) {
  return `#${lecture.id}/${step.scene.slug}/${step.number}`;
}

/** "#3/the-cache-grows/2" → {lecture, index}; index is null where only the lecture is named, or the step is unknown. */
export function parse(course, hash) {
  const [id, slug, number] = decode(hash).replace(/^#\/?/, "").split("/");
  const lecture = course.lectures.find((one) => one.id === id);
  if (!lecture) return { lecture: null, index: null };
  const steps = stepsOf(lecture);
  const scene = steps.filter((step) => step.scene.slug === slug);
  if (!scene.length) return { lecture, index: null };
  const wanted = Math.min(Math.max(Number.parseInt(number ?? "1", 10) || 1, 1), scene.length);
  return { lecture, index: scene[wanted - 1].index };
}

function decode(hash) {
  try {
    return decodeURIComponent(hash);
  } catch {
    return "";
  }
}

/** The step at a time. */
export function stepAt(steps, time) {
  for (let index = steps.length - 1; index > 0; index--) if (time >= steps[index].start - 1e-3) return index;
  return 0;
}

export const film = (lecture, file) => `films/${lecture.name}/${file}`;
