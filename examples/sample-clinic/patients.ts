/** Patients that nobody is. */

export interface Patient {
  readonly id: string;
  readonly name: string;
  readonly born: string;
  readonly notes: readonly string[];
}

export interface Appointment {
  readonly at: string;
  readonly patient: Patient;
  readonly reason: string;
  readonly clinician: string;
}

function patient(name: string, born: string, ...notes: string[]): Patient {
  return { id: name.toLowerCase().replace(/[^a-z]+/g, "-"), name, born, notes };
}

const PATIENTS = {
  marigold: patient(
    "Marigold Quill",
    "12 March 1958",
    "Insoles fitted in spring; comfortable.",
    "Review the left heel in six weeks.",
  ),
  barnaby: patient("Barnaby Thistlewood", "3 July 1990", "Runner. Sprained ankle, healing well."),
  odette: patient("Odette Fernsby", "21 November 1974", "Diabetic foot check every six months; sensation normal."),
  leopold: patient("Leopold Underhill", "30 May 2011", "Flat feet, no pain. Exercises shown to father."),
  winifred: patient(
    "Winifred Plume",
    "8 January 1942",
    "Nails every eight weeks. Hard of hearing: face her when speaking.",
  ),
};

export const APPOINTMENTS: readonly Appointment[] = [
  { at: "09:00", patient: PATIENTS.marigold, reason: "Insole review", clinician: "A. Larkspur" },
  { at: "09:30", patient: PATIENTS.barnaby, reason: "Ankle follow-up", clinician: "A. Larkspur" },
  { at: "10:15", patient: PATIENTS.odette, reason: "Diabetic foot check", clinician: "J. Harrow" },
  { at: "11:00", patient: PATIENTS.leopold, reason: "Gait assessment", clinician: "J. Harrow" },
  { at: "11:45", patient: PATIENTS.winifred, reason: "Nail care", clinician: "A. Larkspur" },
];

export function patientOf(id: string): Patient | undefined {
  return APPOINTMENTS.find(({ patient }) => patient.id === id)?.patient;
}
